import { createContext, useContext, type ReactNode } from "react";

import type { Api } from "./client";

/** What every part of the card works with. */
export interface CardContext {
  api: Api;
  /** The API's origin. */
  apiOrigin: string;
  /** Whether the user may change things; unknown until the API refused something, unless the dashboard says it. */
  isAdmin: boolean | undefined;
}

const Context = createContext<CardContext | null>(null);

export function CardContextProvider({ value, children }: { value: CardContext; children: ReactNode }) {
  // React 18 has no other way to provide one.
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useCardContext(): CardContext {
  const context = useContext(Context);
  if (!context) throw new Error("This is a part of <SalesforceIntegration>, and works only within it.");
  return context;
}
