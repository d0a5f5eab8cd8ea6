// What the modules ask of a browser before anything is shown.
import { vi } from "vitest";

vi.stubGlobal("navigator", { languages: ["en"] });
vi.stubGlobal("location", { search: "", pathname: "/dba" });
