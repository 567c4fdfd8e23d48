// Proofs one at a time: zoom (wheel, buttons, pinch, double click), drag, rotate, fit.
"use strict";

(() => {
  const viewer = document.querySelector("[data-viewer]");
  if (!viewer || !viewer.querySelector("[data-sheet]")) return;

  const MOST = 8; // times the size that fits
  const STEP = 1.35;

  class Stage {
    constructor(box) {
      this.box = box;
      this.image = box.querySelector("img");
      this.pointers = new Map();
      this.reset();
      this.image.addEventListener("load", () => this.draw());
      box.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
      box.addEventListener("dblclick", (event) => this.toggle(event));
      box.addEventListener("pointerdown", (event) => this.onDown(event));
      box.addEventListener("pointermove", (event) => this.onMove(event));
      for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
        box.addEventListener(end, (event) => this.onUp(event));
      }
    }

    reset() {
      this.zoom = 1;
      this.turned = 0;
      this.x = 0;
      this.y = 0;
    }

    // The size at which the whole picture fits, as a factor of its own.
    get fitting() {
      const lying = this.turned % 180 !== 0;
      const width = lying ? this.image.naturalHeight : this.image.naturalWidth;
      const height = lying ? this.image.naturalWidth : this.image.naturalHeight;
      if (!width || !height) return 1;
      return Math.min(this.box.clientWidth / width, this.box.clientHeight / height, 3);
    }

    draw() {
      const scale = this.fitting * this.zoom;
      const lying = this.turned % 180 !== 0;
      const width = (lying ? this.image.naturalHeight : this.image.naturalWidth) * scale;
      const height = (lying ? this.image.naturalWidth : this.image.naturalHeight) * scale;
      const farX = Math.max(0, (width - this.box.clientWidth) / 2);
      const farY = Math.max(0, (height - this.box.clientHeight) / 2);
      this.x = Math.min(farX, Math.max(-farX, this.x));
      this.y = Math.min(farY, Math.max(-farY, this.y));
      this.image.style.transform =
        `translate(-50%, -50%) translate(${this.x}px, ${this.y}px) rotate(${this.turned}deg) scale(${scale})`;
      this.box.classList.toggle("zoomed", this.zoom > 1.01);
    }

    // Zoom so that what is under the point (from the middle of the stage) stays there.
    zoomTo(zoom, point = { x: 0, y: 0 }) {
      const wanted = Math.min(MOST, Math.max(1, zoom));
      const ratio = wanted / this.zoom;
      this.x = point.x - (point.x - this.x) * ratio;
      this.y = point.y - (point.y - this.y) * ratio;
      this.zoom = wanted;
      this.draw();
    }

    turn() {
      this.turned = (this.turned + 90) % 360;
      this.x = this.y = 0;
      this.zoom = 1;
      this.draw();
    }

    fit() {
      this.zoom = 1;
      this.x = this.y = 0;
      this.draw();
    }

    toggle(event) {
      if (event.target.closest("[data-tools]")) return;
      this.zoomTo(this.zoom > 1.01 ? 1 : 2.5, this.pointOf(event));
    }

    pointOf(event) {
      const frame = this.box.getBoundingClientRect();
      return {
        x: event.clientX - frame.left - frame.width / 2,
        y: event.clientY - frame.top - frame.height / 2,
      };
    }

    onWheel(event) {
      event.preventDefault();
      this.zoomTo(this.zoom * Math.exp(-event.deltaY * 0.0018), this.pointOf(event));
    }

    onDown(event) {
      if (event.button > 0 || event.target.closest("[data-tools]")) return;
      this.pointers.set(event.pointerId, this.pointOf(event));
      if (this.zoom > 1.01 || this.pointers.size > 1) this.box.setPointerCapture(event.pointerId);
    }

    onMove(event) {
      const before = this.pointers.get(event.pointerId);
      if (!before) return;
      const now = this.pointOf(event);
      if (this.pointers.size === 2) {
        const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
        const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
        const spread = Math.hypot(now.x - other.x, now.y - other.y);
        const spreadBefore = Math.hypot(before.x - other.x, before.y - other.y);
        if (spreadBefore > 0) this.zoomTo((this.zoom * spread) / spreadBefore, middle);
      } else if (this.zoom > 1.01) {
        this.box.classList.add("dragged");
        this.x += now.x - before.x;
        this.y += now.y - before.y;
        this.draw();
      }
      this.pointers.set(event.pointerId, now);
    }

    onUp(event) {
      this.pointers.delete(event.pointerId);
      this.box.classList.remove("dragged");
    }
  }

  viewer.classList.add("live");
  const sheets = [...viewer.querySelectorAll("[data-sheet]")];
  const tools = viewer.querySelector("[data-tools]");
  const stages = new Map([...viewer.querySelectorAll("[data-stage]")].map((box) => [box, new Stage(box)]));
  let current = sheets.find((sheet) => sheet.classList.contains("is-current")) || sheets[0];

  const shown = () => [...current.querySelectorAll("[data-stage]")].map((box) => stages.get(box));

  const show = (sheet) => {
    current = sheet;
    for (const other of sheets) other.classList.toggle("is-current", other === sheet);
    for (const link of viewer.querySelectorAll("[data-pick]")) {
      if (link.dataset.pick === sheet.dataset.sheet) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    const pictures = shown();
    tools.hidden = pictures.length === 0;
    if (pictures.length) {
      pictures[pictures.length - 1].box.append(tools);
      tools.querySelector("[data-original]").href = pictures[0].box.dataset.file;
    }
    for (const stage of pictures) {
      stage.image.loading = "eager";
      stage.draw();
    }
    waitFor(sheet);
  };

  // Say when what is to be judged can be seen: review.js arms its keys by it.
  const ready = (sheet, state) => {
    if (sheet !== current) return;
    viewer.dataset.ready = state;
    viewer.dispatchEvent(new CustomEvent("proof-shown", { detail: state }));
  };

  const lost = (sheet, stage) => {
    const words = document.createElement("p");
    words.className = "failed";
    words.textContent = "The picture could not be shown. Load the page again, or download the original.";
    stage.box.append(words);
    stage.image.hidden = true;
    ready(sheet, "lost");
  };

  const waitFor = (sheet) => {
    viewer.dataset.ready = "";
    const pictures = [...sheet.querySelectorAll("[data-stage]")].map((box) => stages.get(box));
    let left = pictures.length;
    const one = () => {
      left -= 1;
      if (left <= 0) ready(sheet, "yes");
    };
    if (!left) ready(sheet, "none");
    for (const stage of pictures) {
      const image = stage.image;
      if (image.complete && image.naturalWidth) one();
      else if (image.complete && image.getAttribute("src")) lost(sheet, stage);
      else {
        image.addEventListener("load", one, { once: true });
        image.addEventListener("error", () => lost(sheet, stage), { once: true });
      }
    }
  };

  const acts = {
    in: (stage) => stage.zoomTo(stage.zoom * STEP),
    out: (stage) => stage.zoomTo(stage.zoom / STEP),
    fit: (stage) => stage.fit(),
    turn: (stage) => stage.turn(),
  };
  const keys = { "+": "in", "=": "in", "-": "out", "−": "out", 0: "fit", o: "turn" };

  tools.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) shown().forEach(acts[button.dataset.do]);
  });
  viewer.addEventListener("click", (event) => {
    const link = event.target.closest("[data-pick]");
    const sheet = link && sheets.find((other) => other.dataset.sheet === link.dataset.pick);
    if (!sheet) return;
    event.preventDefault();
    show(sheet);
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.ctrlKey || event.metaKey || event.altKey || typing || document.querySelector("dialog[open]")) return;
    const act = keys[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    shown().forEach(acts[act]);
  });
  window.addEventListener("resize", () => shown().forEach((stage) => stage.draw()));
  show(current);
})();
