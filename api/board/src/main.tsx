import { createRoot } from "react-dom/client";
import { I18nProvider } from "./i18n";
import "./styles.css";
import { ToastProvider } from "./ui";

const root = document.getElementById("root");
if (!root) throw new Error("the page has no #root");
createRoot(root).render(
  <I18nProvider>
    <ToastProvider>boardcast</ToastProvider>
  </I18nProvider>,
);
