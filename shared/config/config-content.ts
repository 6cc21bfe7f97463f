/** A configuration file: JSON that may have comments and trailing commas. */
export interface ConfigFile {
  /** As it was named, for messages. */
  readonly name: string;
  readonly text: string;
  /** The text is the JSON of what `checkConfigFile` answered when the file was bundled. */
  readonly isChecked: boolean;
}

/** What sections a file, or one of its stages, says something of, and what. */
type Sections = {
  readonly model_loading?: object | undefined;
  readonly circuit_breaker?: object | undefined;
  readonly admission?: object | undefined;
};

/** A file's text, checked. */
export type ConfigContent = Sections & { readonly stages?: Readonly<Record<string, Sections>> | undefined };
