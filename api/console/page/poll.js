// Something that is asked again and again, as long as somebody looks: a hidden tab asks nothing.

export class Poll {
  #ask;
  #seconds;
  #timer = 0;
  #round = 0;
  #wake = () => {
    if (document.visibilityState === "visible") this.#run();
  };

  /**
   * @param {number} seconds between two questions, where the question does not say it
   * @param {() => Promise<number | void>} ask never throws; answers the seconds until it wants to be asked again
   */
  constructor(seconds, ask) {
    this.#seconds = seconds;
    this.#ask = ask;
  }

  /** At once, and from then on. */
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
