// Harbour Stats: counts a page view. A cookie on the site that embeds it tells one browser from another.
(function () {
  "use strict";
  var origin = "{{ origin }}";
  var site = document.currentScript ? document.currentScript.dataset.site : "";

  function read(name) {
    var found = document.cookie.match("(?:^|; )" + name + "=([^;]*)");
    return found ? found[1] : "";
  }
  function write(name, value, seconds) {
    document.cookie = name + "=" + value + "; Max-Age=" + seconds + "; Path=/; SameSite=Lax";
  }

  var id = read("hs_id") || Math.random().toString(36).slice(2) + Date.now().toString(36);
  write("hs_id", id, 34128000);
  write("hs_seen", "1", 1800);

  var query = "site=" + encodeURIComponent(site) + "&id=" + id + "&page=" + encodeURIComponent(location.pathname);
  new Image().src = origin + "/pixel.gif?" + query;
  if (navigator.sendBeacon) {
    navigator.sendBeacon(origin + "/beacon?" + query, innerWidth + "x" + innerHeight);
  }
})();
