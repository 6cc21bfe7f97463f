import { Gate } from '../../shared/admission/gate.ts';
import type { AdmissionSettings } from '../../shared/config/admission.ts';
import { admissionSettings } from './admission-settings.ts';

/** A real gate that shares runs, with timers of its own; by default wide enough to be in nobody's way. */
export function createTestGate(
  options: {
    readonly settings?: AdmissionSettings;
    readonly clock?: { now(): number };
    readonly servesMany?: boolean;
  } = {},
): Gate {
  const { settings = admissionSettings({ concurrency: 16 }), clock = Date, servesMany = true } = options;
  return new Gate({ settings, servesMany, clock, random: () => 0, after: (ms, run) => void setTimeout(run, ms) });
}
