import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";

import { ApiError, createApi, type ApiOptions } from "./api/client";
import { CardContextProvider } from "./api/context";
import { Card } from "./Card";
import { isAdminRequired } from "./ui/errors";

export interface SalesforceIntegrationProps extends ApiOptions {
  /**
   * Whether the user may connect, disconnect, retry and change settings. The API decides; this only keeps the card from
   * offering what it would refuse. Left out, the card learns it from the first refusal.
   */
  isAdmin?: boolean;
}

/**
 * The Salesforce card of a workspace: connects it, shows what became of its calls, and says what to do about those that
 * failed. It brings its own styles (`@ringlog/salesforce/style.css`) and nothing else to the page.
 */
export function SalesforceIntegration({ apiUrl, getToken, isAdmin }: SalesforceIntegrationProps) {
  const [isAdminRefused, setAdminRefused] = useState(false);
  const [client] = useState(() =>
    newQueryClient((error) => {
      if (isAdminRequired(error)) setAdminRefused(true);
    }),
  );
  // A new function on each rendering is the usual way to write `getToken`, and no new API.
  const latestGetToken = useRef(getToken);
  useEffect(() => {
    latestGetToken.current = getToken;
  }, [getToken]);
  const context = useMemo(
    () => ({
      // eslint-disable-next-line react-hooks/refs -- it is read when a request is made, never while rendering
      api: createApi({ apiUrl, getToken: () => latestGetToken.current() }),
      // Rendered on a server, a page has no location, and its API an address.
      apiOrigin: apiUrl ? new URL(apiUrl).origin : globalThis.location.origin,
      isAdmin: isAdminRefused ? false : isAdmin,
    }),
    [apiUrl, isAdmin, isAdminRefused],
  );
  return (
    <QueryClientProvider client={client}>
      <CardContextProvider value={context}>
        <Card />
      </CardContextProvider>
    </QueryClientProvider>
  );
}

/** A client of the card's own: it shares nothing with one that the dashboard may have. */
function newQueryClient(onError: (error: unknown) => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 5000,
        // What was refused is refused again.
        retry: (failures, error) => failures < 2 && (!(error instanceof ApiError) || isTransient(error)),
      },
    },
  });
}

function isTransient({ status, code }: ApiError): boolean {
  return code !== "too_many_calls" && (status === 0 || status === 429 || status >= 500);
}
