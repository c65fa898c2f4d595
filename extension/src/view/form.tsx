// SPDX-License-Identifier: LGPL-2.0-or-later
// Fields with their labels, and the button that sends a form.
import type { JSX } from 'preact';
import { useId } from 'preact/hooks';

type Text = {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: string | undefined;
} & Omit<JSX.InputHTMLAttributes<HTMLInputElement>, 'label' | 'value' | 'onInput'>;

export function TextField({ label, value, onInput, hint, ...rest }: Text) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        value={value}
        onInput={event => onInput(event.currentTarget.value)}
        aria-describedby={hint ? `${id}-hint` : undefined}
        spellcheck={false}
        {...rest}
      />
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

type File = {
  label: string;
  onFiles: (files: globalThis.File[]) => void;
  multiple?: boolean;
  accept?: string;
};

export function FileField({ label, onFiles, multiple = false, accept }: File) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="file"
        multiple={multiple}
        accept={accept}
        onChange={event => {
          onFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = '';
        }}
      />
    </div>
  );
}

/** A form that does its work here and goes nowhere. */
export function Form({ onSubmit, children }: { onSubmit: () => void; children: preact.ComponentChildren }) {
  return (
    <form
      onSubmit={event => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
    </form>
  );
}

export async function bytesOf(file: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await file.arrayBuffer());
}
