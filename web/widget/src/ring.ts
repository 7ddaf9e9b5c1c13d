/** Of several tabs of a site only one makes itself heard: the first, as long as it lives. */
let first = !navigator.locks;

export const leads = (): boolean => first;

/** Queues up for being that tab; the answer leaves the queue. */
export function lead(name: string): () => void {
  let leave!: () => void;
  const left = new Promise<void>((done) => (leave = done));
  const alone = (): void => void (first = true);
  navigator.locks?.request(name, () => (alone(), left)).catch(alone);
  return leave;
}

let audio: AudioContext | undefined;
let last = 0;

/** A short tone. Browsers let a page sound once somebody has pressed something in it. */
export function ring(): void {
  // What was missed arrives at once, and sounds once.
  if (Date.now() - last < 1_000) return;
  last = Date.now();
  audio ??= new AudioContext();
  void audio.resume();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  const { currentTime: now } = audio;
  tone.connect(volume).connect(audio.destination);
  tone.frequency.value = 720;
  volume.gain.value = 0.1;
  volume.gain.setTargetAtTime(0, now, 0.1);
  tone.start();
  tone.stop(now + 0.4);
}
