import { createContext, useContext } from "react";

import { useCardContext } from "../api/context";
import { texts } from "../texts";
import base from "./base.module.css";
import { Notice } from "./components";

/** The element that says that only admins can make changes; locked buttons refer to it by `aria-describedby`. */
interface AdminsOnlyMessage {
  id: string;
  /** Whether it is in the card's header. Otherwise the connect panel shows it. */
  isInHeader: boolean;
}

const Context = createContext<AdminsOnlyMessage | null>(null);

export const AdminsOnlyProvider = Context.Provider;

/** Props for admin-only buttons. Unlike a disabled button, a locked one can be focused and says why it is locked. */
export function useAdminLock(): { isLocked: boolean; describedBy: string | undefined } {
  const isLocked = useCardContext().isAdmin === false;
  const message = useContext(Context);
  return { isLocked, describedBy: isLocked ? message?.id : undefined };
}

/** The message in the card's header. */
export function AdminsOnlyHeaderNote() {
  const { isLocked } = useAdminLock();
  const message = useContext(Context);
  return isLocked && message?.isInHeader ? (
    <p id={message.id} className={base.muted}>
      {texts.adminsOnly}
    </p>
  ) : null;
}

/** The message inside a tab, unless the header already shows it. */
export function AdminsOnlyNotice() {
  const { isLocked } = useAdminLock();
  const message = useContext(Context);
  return isLocked && !message?.isInHeader ? <Notice tone="plain">{texts.adminsOnly}</Notice> : null;
}
