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
/** How often what changes by itself is read again, while the page is visible. */
const REFETCH_MS = { status: 30 * SECOND, calls: 10 * SECOND, summary: 30 * SECOND };
const DAY = 24 * 60 * 60;
/** The calls of a status that are searched for reasons: pages, and calls on each. */
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

/** Reads the status and all that depends on it again. */
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
  // Read again only when asked to: a form that changes under one's hands is no help.
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
    // All loaded pages are read again, one after the other: the more there are, the more seldom.
    refetchInterval: ({ state }) => REFETCH_MS.calls * Math.max(1, state.data?.pages.length ?? 1),
  });
}

/** The calls of the last day, counted. */
export function useSummary() {
  const { api } = useCardContext();
  return useQuery({
    queryKey: keys.summary,
    queryFn: () => api.summarizeSyncLogs(Math.floor(Date.now() / SECOND) - DAY),
    refetchInterval: REFETCH_MS.summary,
  });
}

/** The newest calls of each of these statuses: they have the words for the error codes that are counted. */
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
        /** Where the lists go on. */
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

/** Where a list goes on. */
type ListPosition = Pick<SyncLogQuery, "status" | "cursor">;

/**
 * The newest call of each of these error codes, looked for down these lists, but not for ever; `isComplete` says that they
 * were read to their ends. A code is looked for once: its words do not change.
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
