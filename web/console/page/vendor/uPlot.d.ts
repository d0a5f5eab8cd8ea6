// For `npm run check`: the build puts uPlot itself here.
export { default } from "uplot";
