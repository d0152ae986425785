// Before the first paint: the theme and the colours that were chosen. Without a choice the system's theme holds.
"use strict";
{
  const asked = new URLSearchParams(location.search).get("theme");
  const theme = asked === "dark" || asked === "light" ? asked : localStorage.getItem("theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  document.documentElement.dataset.colours = localStorage.getItem("colours") === "west" ? "west" : "cn";
}
