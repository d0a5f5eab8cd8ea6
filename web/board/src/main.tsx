import { showTheme } from "@boardcast/storage";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { keepPage } from "./app/offline";
import { I18nProvider } from "./i18n";
import "./styles.css";
import { ToastProvider } from "./ui";

showTheme();
keepPage();
const root = document.getElementById("root");
if (!root) throw new Error("the page has no #root");
createRoot(root).render(
  <I18nProvider>
    <ToastProvider>
      <App />
    </ToastProvider>
  </I18nProvider>,
);
