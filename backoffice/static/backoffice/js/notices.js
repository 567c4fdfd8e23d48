// A notice above a page: what happened, and perhaps where to go on.
"use strict";

window.buildNotice = (style, words, target, label) => {
  const box = document.createElement("div");
  box.className = `alert alert-${style}`;
  const text = document.createElement("span");
  text.textContent = words;
  box.append(text);
  if (target) {
    const link = document.createElement("a");
    link.className = "btn btn-sm btn-primary";
    link.href = target;
    link.textContent = label;
    box.append(link);
  }
  return box;
};
