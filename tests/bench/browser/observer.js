/**
 * Tell the bench when the banner can be seen. Runs in each document before its own scripts.
 *
 * @param {string} selector of the banner; of nothing at all on a page without one
 */
(selector) => {
  if (location.protocol === "about:") {
    return;
  }
  const found = { appears: 0, visible: 0 };

  /** How opaque the banner is on the screen: 0 where it cannot be seen at all. */
  const measureOpacity = (element) => {
    const box = element.getBoundingClientRect();
    const middle = (box.top + box.bottom) / 2;
    if (!box.width || !box.height || middle < 0 || middle > innerHeight) {
      return 0;
    }
    if (getComputedStyle(element).visibility !== "visible") {
      return 0;
    }
    let opacity = 1;
    for (let each = element; each; each = each.parentElement) {
      opacity *= Number(getComputedStyle(each).opacity);
    }
    return opacity;
  };

  const look = () => {
    requestAnimationFrame(look);
    const element = document.querySelector(selector);
    if (!element || found.visible) {
      return;
    }
    // Of the frame that is about to be painted: what comes after it may have to wait for a script.
    const now = performance.now();
    const opacity = measureOpacity(element);
    if (opacity > 0) {
      found.appears ||= now;
    }
    if (opacity > 0.99) {
      found.visible = now;
      // The binding that Chromium was asked for. Strings only.
      noteBanner(JSON.stringify(found));
    }
  };
  requestAnimationFrame(look);

  // Kept where the bench reads it at the end.
  window.benchShift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      window.benchShift += entry.hadRecentInput ? 0 : entry.value;
    }
  }).observe({ type: "layout-shift", buffered: true });
};
