import { useCallback } from "react";
import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";

import type { SettingsWithETag, SyncLog, SyncLogQuery, SyncStatus, TestSyncRequest } from "./client";
import { useCardContext } from "./context";

const SECOND = 1000;
/** Polling intervals while the page is visible. */
const REFETCH_MS = { status: 30 * SECOND, calls: 10 * SECOND, summary: 30 * SECOND };
const DAY = 24 * 60 * 60;
/** How far to search the calls of a status for error messages. */
const MAX_PAGES = 5;
const PAGE_SIZE = 100;

const keys = {
  status: ["status"],
  settings: ["settings"],
  webhook: ["webhook"],
  calls: ["calls"],
  reasons: ["reasons"],
  summary: ["summary"],
} as const;

export function useStatus() {
  const { api } = useCardContext();
  return useQuery({
    queryKey: keys.status,
    queryFn: api.getSalesforceStatus,
    refetchInterval: REFETCH_MS.status,
  });
}

/** Refetches everything. */
export function useRefreshAll() {
  const client = useQueryClient();
  return useCallback(() => void client.invalidateQueries(), [client]);
}

export function useDisconnect() {
  const { api } = useCardContext();
  const refreshAll = useRefreshAll();
  return useMutation({ mutationFn: api.disconnectSalesforce, onSettled: refreshAll });
}

export function useSettings() {
  const { api } = useCardContext();
  // No automatic refetch: the form must not change while the user edits it.
  return useQuery({ queryKey: keys.settings, queryFn: api.getSettings, refetchOnWindowFocus: false });
}

export function useSaveSettings() {
  const { api } = useCardContext();
  const client = useQueryClient();
  return useMutation({
    mutationFn: api.updateSettings,
    onSuccess: (saved: SettingsWithETag) => {
      client.setQueryData(keys.settings, saved);
    },
  });
}

export function useWebhook() {
  const { api } = useCardContext();
  return useQuery({ queryKey: keys.webhook, queryFn: api.getWebhook });
}

export function useRotateWebhook() {
  const { api } = useCardContext();
  const client = useQueryClient();
  return useMutation({
    mutationFn: api.rotateWebhook,
    onSuccess: (webhook) => {
      client.setQueryData(keys.webhook, webhook);
    },
  });
}

export function useCalls(status: SyncStatus | undefined) {
  const { api } = useCardContext();
  return useInfiniteQuery({
    queryKey: [...keys.calls, status ?? "all"],
    queryFn: ({ pageParam }) => api.listSyncLogs({ status, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    // A refetch reads every loaded page in sequence, so poll less often as pages are added.
    refetchInterval: ({ state }) => REFETCH_MS.calls * Math.max(1, state.data?.pages.length ?? 1),
  });
}

/** Counts of the last day's calls. */
export function useSummary() {
  const { api } = useCardContext();
  return useQuery({
    queryKey: keys.summary,
    queryFn: () => api.summarizeSyncLogs(Math.floor(Date.now() / SECOND) - DAY),
    refetchInterval: REFETCH_MS.summary,
  });
}

/** The newest calls with each of these statuses. They carry the messages for the error codes in the summary. */
export function useNewestCalls(statuses: SyncStatus[]) {
  const { api } = useCardContext();
  return useQuery({
    queryKey: [...keys.calls, "of", ...statuses],
    queryFn: async () => {
      const pages = await Promise.all(
        statuses.map((status) => api.listSyncLogs({ status, limit: PAGE_SIZE })),
      );
      return {
        calls: pages.flatMap((page) => page.items),
        /** Where to continue the lists. */
        rest: pages.flatMap(({ nextCursor }, index) =>
          nextCursor ? [{ status: statuses[index], cursor: nextCursor }] : [],
        ),
      };
    },
    enabled: statuses.length > 0,
    placeholderData: keepPreviousData,
    refetchInterval: REFETCH_MS.summary,
  });
}

/** Where to continue a list. */
type ListPosition = Pick<SyncLogQuery, "status" | "cursor">;

/**
 * Finds the newest call with each of these error codes, reading on in the lists up to MAX_PAGES. `isComplete` means that
 * every list was read to its end. Cached forever: one message for a code is enough.
 */
export function useCallsByErrorCode(codes: string[], rest: ListPosition[]) {
  const { api } = useCardContext();
  return useQuery({
    queryKey: [...keys.reasons, ...codes],
    queryFn: async () => {
      const found = new Map<string, SyncLog>();
      let positions = rest;
      for (let page = 1; page < MAX_PAGES && positions.length > 0 && found.size < codes.length; page += 1) {
        const pages = await Promise.all(
          positions.map((position) => api.listSyncLogs({ ...position, limit: PAGE_SIZE })),
        );
        for (const call of pages.flatMap(({ items }) => items)) {
          const { errorCode } = call;
          if (errorCode && codes.includes(errorCode) && !found.has(errorCode)) found.set(errorCode, call);
        }
        positions = pages.flatMap(({ nextCursor }, index) =>
          nextCursor ? [{ ...positions[index], cursor: nextCursor }] : [],
        );
      }
      return { calls: [...found.values()], isComplete: positions.length === 0 };
    },
    enabled: codes.length > 0,
    staleTime: Infinity,
  });
}

function useRefreshCalls() {
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: keys.calls }),
      client.invalidateQueries({ queryKey: keys.summary }),
    ]);
}

export function useRetryCall() {
  const { api } = useCardContext();
  return useMutation({ mutationFn: api.retrySyncLog, onSettled: useRefreshCalls() });
}

export function useRetryCalls() {
  const { api } = useCardContext();
  return useMutation({ mutationFn: api.retrySyncLogs, onSettled: useRefreshCalls() });
}

type TestCall = Omit<TestSyncRequest, "dryRun">;

export function usePreviewSync() {
  const { api } = useCardContext();
  return useMutation({ mutationFn: (testCall: TestCall) => api.previewSalesforceSync(testCall) });
}

export function useTestSync() {
  const { api } = useCardContext();
  return useMutation({
    mutationFn: (testCall: TestCall) => api.testSalesforceSync(testCall),
    onSettled: useRefreshCalls(),
  });
}
