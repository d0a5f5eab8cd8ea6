/** Report an exception as uncaught, as browsers do for listeners of their own events. */
export function reportUncaught(error: unknown): void {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else
    setTimeout(() => {
      throw error;
    });
}

/** Call a function of an application. If it throws, the caller goes on, and the exception is reported. */
export function isolated(call: () => void): void {
  try {
    call();
  } catch (error) {
    reportUncaught(error);
  }
}
