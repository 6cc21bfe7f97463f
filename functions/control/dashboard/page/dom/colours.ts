const darkScheme = matchMedia('(prefers-color-scheme: dark)');
const STORED = 'casalingua.theme';

/** What a colour of the style sheet is now; a canvas cannot read the style sheet. @param name e.g. `--series-1` @param place where it is used */
export function colourOf(name: string, place: HTMLElement): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  place.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** The choice between light, dark and what the system has; kept for the next time. @param changed told when colours are others */
export function startTheme(select: HTMLSelectElement, changed: () => void): void {
  const apply = () => {
    if (select.value === 'auto') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = select.value;
  };
  const stored = readStored();
  if (stored === 'light' || stored === 'dark') select.value = stored;
  else select.value = 'auto';
  apply();
  select.addEventListener('change', () => {
    apply();
    store(select.value);
    changed();
  });
  darkScheme.addEventListener('change', changed);
}

/** Without a place to keep it in, it is chosen anew each time. */
function readStored(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

function store(theme: string): void {
  try {
    localStorage.setItem(STORED, theme);
  } catch {
    // It holds for this time.
  }
}
