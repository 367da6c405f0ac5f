import { useEffect, useRef, useState } from "react";

import { ApiError, type ConnectMessage } from "../api/client";
import { useCardContext } from "../api/context";
import { isSameSite } from "./sameSite";

/** Where a connect stands. */
export type ConnectState =
  | { kind: "idle" }
  /** The user is in Salesforce's window, or has closed it: Salesforce may cut it off from us, then it seems closed. */
  | { kind: "waiting"; attempt: number; windowClosed: boolean }
  | { kind: "failed"; code: string; detail: string | null }
  | { kind: "connected" };

const POPUP_FEATURES = "popup,width=640,height=760";
const POPUP_CHECK_MS = 500;
const STATUS_POLL_MS = 2000;
/** The flow lasts as long as its state (design.md §4). */
const FLOW_TIMEOUT_MS = 10 * 60 * 1000;

/**
 * The way through Salesforce's window. It ends with the message of the callback page, or, where that cannot reach us,
 * with a status that shows a newer connection than the one of `connectedAt`.
 */
export function useConnect(connectedAt: number | null, onConnected: () => void) {
  const { api, apiOrigin } = useCardContext();
  const [state, setState] = useState<ConnectState>({ kind: "idle" });
  const popup = useRef<Window | null>(null);
  /** The connection that there was when the flow began; any other one is the new one. */
  const previousConnectedAt = useRef<number | null>(null);
  const attemptCount = useRef(0);
  /** The attempt that is waited for, from 1. Each has its own ten minutes. */
  const attempt = state.kind === "waiting" ? state.attempt : null;

  const start = async (loginUrl?: string) => {
    if (!isSameSite(new URL(apiOrigin), new URL(location.href))) {
      setState(failed("other_site"));
      return;
    }
    // Before the first wait, or the browser takes it for an unwanted popup.
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
      // What cannot be read now is read the next time.
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
