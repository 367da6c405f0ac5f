import { useEffect, useRef, useState } from "react";

import { ApiError, type ConnectMessage } from "../api/client";
import { useCardContext } from "../api/context";
import { isSameSite } from "./sameSite";

/** State of the connect flow. */
export type ConnectState =
  | { kind: "idle" }
  /**
   * The user is in the Salesforce window, or has closed it. If Salesforce's pages sever the opener relationship
   * (Cross-Origin-Opener-Policy), an open window looks closed.
   */
  | { kind: "waiting"; attempt: number; windowClosed: boolean }
  | { kind: "failed"; code: string; detail: string | null }
  | { kind: "connected" };

const POPUP_FEATURES = "popup,width=640,height=760";
const POPUP_CHECK_MS = 500;
const STATUS_POLL_MS = 2000;
/** As long as the server keeps the flow's state (docs/contract.md#the-connect-flow). */
const FLOW_TIMEOUT_MS = 10 * 60 * 1000;

/**
 * Runs the connect flow in a Salesforce popup. The flow succeeds when the callback page posts its message or, if that
 * cannot reach us, when polling the status shows a different connection from the one made at `connectedAt`.
 */
export function useConnect(connectedAt: number | null, onConnected: () => void) {
  const { api, apiOrigin } = useCardContext();
  const [state, setState] = useState<ConnectState>({ kind: "idle" });
  const popup = useRef<Window | null>(null);
  /** `connectedAt` when the flow began; any other value means a new connection. */
  const previousConnectedAt = useRef<number | null>(null);
  const attemptCount = useRef(0);
  /** Number of the pending attempt, from 1. Each attempt gets its own timeout. */
  const attempt = state.kind === "waiting" ? state.attempt : null;

  const start = async (loginUrl?: string) => {
    if (!isSameSite(new URL(apiOrigin), new URL(location.href))) {
      setState(failed("other_site"));
      return;
    }
    // Must happen before the first `await`, or popup blockers will block it.
    popup.current = window.open("about:blank", "ringlog-salesforce", POPUP_FEATURES);
    if (!popup.current) {
      setState(failed("popup_blocked"));
      return;
    }
    previousConnectedAt.current = connectedAt;
    attemptCount.current += 1;
    setState({ kind: "waiting", attempt: attemptCount.current, windowClosed: false });
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
    const onMessage = (event: MessageEvent<unknown>) => {
      if (event.origin !== apiOrigin || !isConnectMessage(event.data)) return;
      const { success, code, detail } = event.data;
      if (success) {
        succeed();
      } else {
        popup.current?.close();
        setState(failed(code ?? "", detail));
      }
    };
    const pollStatus = async () => {
      // A failed poll is retried on the next tick.
      const status = await api.getSalesforceStatus().catch(() => null);
      if (status?.connected && status.connectedAt !== previousConnectedAt.current) succeed();
    };
    const checkPopup = () => {
      const windowClosed = popup.current?.closed ?? true;
      setState((current) =>
        current.kind === "waiting" && current.windowClosed !== windowClosed
          ? { ...current, windowClosed }
          : current,
      );
    };
    const popupTimer = setInterval(checkPopup, POPUP_CHECK_MS);
    const statusTimer = setInterval(() => void pollStatus(), STATUS_POLL_MS);
    const flowTimer = setTimeout(() => {
      setState(failed("state_expired"));
    }, FLOW_TIMEOUT_MS);
    window.addEventListener("message", onMessage);
    return () => {
      window.removeEventListener("message", onMessage);
      clearInterval(popupTimer);
      clearInterval(statusTimer);
      clearTimeout(flowTimer);
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
