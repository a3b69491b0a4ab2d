/** The version of the engine and of its page: see vite.config.ts. */
declare const BUILD: string;
