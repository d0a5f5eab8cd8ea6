// Repeats a request while the tab is visible.

export class Poll {
  #ask;
  #seconds;
  #timer = 0;
  #round = 0;
  #wake = () => {
    if (document.visibilityState === "visible") this.#run();
  };

  /**
   * @param {number} seconds between two requests, unless `ask` returns another number
   * @param {() => Promise<number | void>} ask must not throw; may return the seconds until the next request
   */
  constructor(seconds, ask) {
    this.#seconds = seconds;
    this.#ask = ask;
  }

  /** Request now and from then on. */
  start() {
    this.stop();
    document.addEventListener("visibilitychange", this.#wake);
    this.#run();
  }

  stop() {
    this.#round++;
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#wake);
  }

  async #run() {
    clearTimeout(this.#timer);
    const round = ++this.#round;
    const seconds = (await this.#ask()) ?? this.#seconds;
    if (round === this.#round && document.visibilityState === "visible") this.#timer = setTimeout(() => this.#run(), seconds * 1000);
  }
}
