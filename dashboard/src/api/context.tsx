import { createContext, useContext, type ReactNode } from "react";

import type { Api } from "./client";

/** Shared by all parts of the card. */
export interface CardContext {
  api: Api;
  /** The API's origin. */
  apiOrigin: string;
  /** Whether the user is an admin. `undefined` if the host did not say and the API has not refused anything yet. */
  isAdmin: boolean | undefined;
}

const Context = createContext<CardContext | null>(null);

export function CardContextProvider({ value, children }: { value: CardContext; children: ReactNode }) {
  // `<Context value>` needs React 19.
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useCardContext(): CardContext {
  const context = useContext(Context);
  if (!context) throw new Error("useCardContext must be used inside <SalesforceIntegration>.");
  return context;
}
