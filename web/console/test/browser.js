// The browser globals that the modules use when they are loaded.
import { vi } from "vitest";

vi.stubGlobal("navigator", { languages: ["en"] });
vi.stubGlobal("location", { search: "", pathname: "/dba" });
