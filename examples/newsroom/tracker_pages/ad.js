// Harbour Ads: fills every slot of the page with a frame of its own.
document.querySelectorAll(".harbour-ad:not([data-filled])").forEach(function (slot) {
  "use strict";
  var frame = document.createElement("iframe");
  frame.src = "{{ origin }}/ad?slot=" + encodeURIComponent(slot.dataset.slot) + "&page=" + encodeURIComponent(location.pathname);
  frame.title = slot.dataset.title || "Advertisement";
  frame.width = "100%";
  frame.height = "140";
  frame.style.border = "0";
  slot.dataset.filled = "";
  slot.appendChild(frame);
});
