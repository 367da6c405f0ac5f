import { createContext, useContext } from "react";

import { useSurroundings } from "../api/context";
import { texts } from "../texts";
import card from "./card.module.css";
import { Notice } from "./parts";

/** The element that says above all tabs that only admins may change things. */
interface Line {
  id: string;
  /** Whether that is the line of the card's head, in the words of `texts.adminsOnly`. */
  isOfHead: boolean;
}

const Context = createContext<Line | null>(null);

export const AdminsOnlyProvider = Context.Provider;

/** What a button gets that only admins may use. Unlike a disabled one it is reached by keyboard, and says why. */
export function useLock(): { isLocked: boolean; describedBy: string | undefined } {
  const isLocked = useSurroundings().isAdmin === false;
  const line = useContext(Context);
  return { isLocked, describedBy: isLocked ? line?.id : undefined };
}

/** The line of the card's head. */
export function AdminsOnlyLine() {
  const { isLocked } = useLock();
  const line = useContext(Context);
  return isLocked && line?.isOfHead ? (
    <p id={line.id} className={card.muted}>
      {texts.adminsOnly}
    </p>
  ) : null;
}

/** The same in a tab, where the card's head does not say it. */
export function AdminsOnlyNotice() {
  const { isLocked } = useLock();
  const line = useContext(Context);
  return isLocked && !line?.isOfHead ? <Notice tone="plain">{texts.adminsOnly}</Notice> : null;
}
