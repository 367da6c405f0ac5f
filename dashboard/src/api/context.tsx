import { createContext, useContext, type ReactNode } from "react";

import type { Api } from "./client";

/** What every part of the card works with. */
export interface Surroundings {
  api: Api;
  /** The API's origin. */
  apiOrigin: string;
  /** Whether the user may change things; unknown until the API refused something, unless the dashboard says it. */
  isAdmin: boolean | undefined;
}

const Context = createContext<Surroundings | null>(null);

export function SurroundingsProvider({ value, children }: { value: Surroundings; children: ReactNode }) {
  // React 18 has no other way to provide one.
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useSurroundings(): Surroundings {
  const surroundings = useContext(Context);
  if (!surroundings) throw new Error("This is a part of <SalesforceIntegration>, and works only within it.");
  return surroundings;
}
