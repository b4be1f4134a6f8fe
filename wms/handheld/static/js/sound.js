// Sound, vibration and speech. Tones are made on the device (square wave, 10 ms ramps): no file
// to load, nothing to wait for. Only "wrong" and "intercepted" are low and long.

const RAMP_S = 0.01;
const PEAK = 0.35;
const WRONG_VOLUME_MIN = 0.3; // an unheard "wrong" ships a wrong parcel
const pause = (ms) => [0, ms];

/** Hz and ms, in order; 0 Hz is silence. */
export const TONES = Object.freeze({
  receipt: [[1800, 30]],
  ok: [[1320, 80]],
  wrong: [[220, 180], pause(60), [220, 180], pause(60), [220, 300]],
  done: [[880, 90], [1175, 90], [1568, 160]],
  attention: [[740, 140], pause(80), [740, 140]],
  intercepted: [[1000, 250], [500, 250], [1000, 250], [500, 250], [1000, 250], [500, 250]],
  offline: [[600, 120], [400, 200]],
  online: [[400, 80], [600, 120]],
});

export const VIBRATIONS = Object.freeze({
  ok: [40], wrong: [200, 80, 200], done: [60, 40, 60], attention: [120], intercepted: [400, 100, 400], offline: [80], online: [80],
});

export class Sound {
  constructor() {
    this.volume = 1;
    this.speech = false;
    this.context = null;
    // Browsers start audio only after a key or a touch; a scan is one.
    for (const kind of ["keydown", "pointerdown"]) {
      window.addEventListener(kind, () => this.wake(), { capture: true });
    }
  }

  use({ volume, speech }) {
    Object.assign(this, { volume, speech });
  }

  wake() {
    this.context ??= new AudioContext({ latencyHint: "interactive" });
    if (this.context.state === "suspended") this.context.resume();
  }

  play(name) {
    const tones = TONES[name];
    if (!tones) return;
    if (VIBRATIONS[name] && navigator.userActivation?.hasBeenActive) navigator.vibrate?.(VIBRATIONS[name]);
    const volume = name === "wrong" || name === "intercepted" ? Math.max(this.volume, WRONG_VOLUME_MIN) : this.volume;
    if (this.context === null || volume === 0) return;
    let at = this.context.currentTime;
    for (const [hz, ms] of tones) {
      if (hz > 0) this.tone(hz, at, ms / 1000, volume);
      at += ms / 1000;
    }
  }

  tone(hz, at, length_s, volume) {
    const source = this.context.createOscillator();
    const gain = this.context.createGain();
    source.type = "square";
    source.frequency.value = hz;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(PEAK * volume, at + RAMP_S);
    gain.gain.setValueAtTime(PEAK * volume, at + length_s - RAMP_S);
    gain.gain.linearRampToValueAtTime(0, at + length_s);
    source.connect(gain).connect(this.context.destination);
    source.start(at);
    source.stop(at + length_s);
  }

  /** Says a sentence at once; a newer sentence cuts the older off, as the hand has moved on. */
  say(text, language) {
    if (!this.speech || !text || !window.speechSynthesis) return;
    speechSynthesis.cancel();
    const sentence = new SpeechSynthesisUtterance(text);
    sentence.lang = language === "en" ? "en-US" : "zh-CN";
    sentence.volume = this.volume;
    sentence.rate = 1.1;
    speechSynthesis.speak(sentence);
  }
}
