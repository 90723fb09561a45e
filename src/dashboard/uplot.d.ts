/** Served as `uplot.js`, beside the page's own scripts. */
export { default } from "uplot";
