import { useEffect, useRef, useState } from "react";

import { ApiError, type ConnectMessage } from "../api/client";
import { useSurroundings } from "../api/context";
import { isOneSite } from "./site";

/** Where a connect stands. */
export type ConnectState =
  | { kind: "idle" }
  /** The user is in Salesforce's window, or has closed it: Salesforce may cut it off from us, then it seems closed. */
  | { kind: "waiting"; attempt: number; windowClosed: boolean }
  | { kind: "failed"; code: string; detail: string | null }
  | { kind: "connected" };

const WINDOW = "popup,width=640,height=760";
const LOOK_EVERY_MS = 500;
const POLL_EVERY_MS = 2000;
/** The flow lasts as long as its state (docs/contract.md#the-connect-flow). */
const FLOW_MS = 10 * 60 * 1000;

/**
 * The way through Salesforce's window. It ends with the message of the callback page, or, where that cannot reach us,
 * with a status that shows a newer connection than the one of `connectedAt`.
 */
export function useConnect(connectedAt: number | null, onConnected: () => void) {
  const { api, apiOrigin } = useSurroundings();
  const [state, setState] = useState<ConnectState>({ kind: "idle" });
  const popup = useRef<Window | null>(null);
  /** The connection that there was when the flow began; any other one is the new one. */
  const before = useRef<number | null>(null);
  const attempts = useRef(0);
  /** The attempt that is waited for, from 1. Each has its own ten minutes. */
  const attempt = state.kind === "waiting" ? state.attempt : null;

  const start = async (loginUrl?: string) => {
    if (!isOneSite(new URL(apiOrigin), new URL(location.href))) {
      setState(failed("other_site"));
      return;
    }
    // Before the first wait, or the browser takes it for an unwanted popup.
    popup.current = window.open("about:blank", "ringlog-salesforce", WINDOW);
    if (!popup.current) {
      setState(failed("popup_blocked"));
      return;
    }
    before.current = connectedAt;
    attempts.current += 1;
    setState({ kind: "waiting", attempt: attempts.current, windowClosed: false });
    try {
      const { authUrl } = await api.initiateSalesforceOAuth(loginUrl);
      popup.current.location.replace(authUrl);
    } catch (error) {
      popup.current.close();
      setState(error instanceof ApiError ? failed(error.code, error.message) : failed("network"));
    }
  };

  const cancel = () => {
    popup.current?.close();
    setState({ kind: "idle" });
  };

  useEffect(() => {
    if (attempt === null) return;
    const succeed = () => {
      setState({ kind: "connected" });
      onConnected();
    };
    const hear = (event: MessageEvent<unknown>) => {
      if (event.origin !== apiOrigin || !isConnectMessage(event.data)) return;
      const { success, code, detail } = event.data;
      if (success) {
        succeed();
      } else {
        popup.current?.close();
        setState(failed(code ?? "", detail));
      }
    };
    const poll = async () => {
      // What cannot be read now is read the next time.
      const status = await api.getSalesforceStatus().catch(() => null);
      if (status?.connected && status.connectedAt !== before.current) succeed();
    };
    const look = () => {
      const windowClosed = popup.current?.closed ?? true;
      setState((now) =>
        now.kind === "waiting" && now.windowClosed !== windowClosed ? { ...now, windowClosed } : now,
      );
    };
    const looking = setInterval(look, LOOK_EVERY_MS);
    const polling = setInterval(() => void poll(), POLL_EVERY_MS);
    const end = setTimeout(() => {
      setState(failed("state_expired"));
    }, FLOW_MS);
    window.addEventListener("message", hear);
    return () => {
      window.removeEventListener("message", hear);
      clearInterval(looking);
      clearInterval(polling);
      clearTimeout(end);
    };
  }, [attempt, api, apiOrigin, onConnected]);

  return { state, start, cancel };
}

function failed(code: string, detail?: string): ConnectState {
  return { kind: "failed", code, detail: detail ?? null };
}

function isConnectMessage(data: unknown): data is ConnectMessage {
  return typeof data === "object" && data !== null && "type" in data && data.type === "ringlog.salesforce";
}
