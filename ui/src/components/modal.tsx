import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Modal as AriaModal, Dialog, Heading, ModalOverlay } from 'react-aria-components';
import { m } from '../base/i18n';
import { IconButton } from './iconbutton';

/** A dialog over the page. Without `onClose` it stays until its question is answered. */
export function Modal({ title, onClose, children }: { title: string; onClose?: () => void; children: ReactNode }) {
  return (
    <ModalOverlay
      className="overlay"
      isOpen
      isDismissable={onClose !== undefined}
      isKeyboardDismissDisabled={onClose === undefined}
      onOpenChange={(open) => !open && onClose?.()}
    >
      <AriaModal className="modal">
        <Dialog className="modal-dialog">
          <header className="modal-head">
            <Heading slot="title" level={2}>
              {title}
            </Heading>
            {onClose && (
              <IconButton kind="quiet" label={m.common.close} onClick={onClose}>
                <X size={16} aria-hidden />
              </IconButton>
            )}
          </header>
          {children}
        </Dialog>
      </AriaModal>
    </ModalOverlay>
  );
}
