import { createContext, useContext } from "react";

import { useCardContext } from "../api/context";
import { texts } from "../texts";
import base from "./base.module.css";
import { Notice } from "./components";

/** The element that says above all tabs that only admins may change things. */
interface AdminsOnlyMessage {
  id: string;
  /** Whether that is the line of the card's head, in the words of `texts.adminsOnly`. */
  isInHeader: boolean;
}

const Context = createContext<AdminsOnlyMessage | null>(null);

export const AdminsOnlyProvider = Context.Provider;

/** What a button gets that only admins may use. Unlike a disabled one it is reached by keyboard, and says why. */
export function useAdminLock(): { isLocked: boolean; describedBy: string | undefined } {
  const isLocked = useCardContext().isAdmin === false;
  const message = useContext(Context);
  return { isLocked, describedBy: isLocked ? message?.id : undefined };
}

/** The line of the card's head. */
export function AdminsOnlyHeaderNote() {
  const { isLocked } = useAdminLock();
  const message = useContext(Context);
  return isLocked && message?.isInHeader ? (
    <p id={message.id} className={base.muted}>
      {texts.adminsOnly}
    </p>
  ) : null;
}

/** The same in a tab, where the card's head does not say it. */
export function AdminsOnlyNotice() {
  const { isLocked } = useAdminLock();
  const message = useContext(Context);
  return isLocked && !message?.isInHeader ? <Notice tone="plain">{texts.adminsOnly}</Notice> : null;
}
