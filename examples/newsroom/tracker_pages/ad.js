// Harbour Ads: fills every slot of the page with a frame of its own. It hears what the visitor chose as Google's tags do, from
// the commands in `dataLayer`, and sends it along, so that the demonstration can show it.
(function () {
  "use strict";
  var queue = (window.dataLayer = window.dataLayer || []);
  var push = queue.push;
  var states = {};
  var heard = [];

  function hear(entry) {
    // A command is an `arguments` object, whose first item names it; an event has none.
    if (!entry || entry[0] !== "consent") return;
    Object.assign(states, entry[2]);
    heard.push([entry[1]].concat(Object.keys(entry[2]).map(function (type) { return type + ":" + entry[2][type]; })).join(" "));
  }
  function tell() {
    return heard.splice(0).map(function (call) { return "&told=" + encodeURIComponent(call); }).join("");
  }

  queue.forEach(hear);
  queue.push = function () {
    Array.prototype.forEach.call(arguments, hear);
    // Told that storage is denied, it keeps silent.
    if (heard.length && states.ad_storage === "granted") {
      new Image().src = "{{ origin }}/pixel.gif?page=" + encodeURIComponent(location.pathname) + tell();
    }
    return push.apply(queue, arguments);
  };

  document.querySelectorAll(".harbour-ad:not([data-filled])").forEach(function (slot) {
    var frame = document.createElement("iframe");
    frame.src = "{{ origin }}/ad?slot=" + encodeURIComponent(slot.dataset.slot) + "&page=" + encodeURIComponent(location.pathname) + tell();
    frame.title = slot.dataset.title || "Advertisement";
    frame.width = "100%";
    frame.height = "140";
    frame.style.border = "0";
    slot.dataset.filled = "";
    slot.appendChild(frame);
  });
})();
