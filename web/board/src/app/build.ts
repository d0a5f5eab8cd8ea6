import { Http } from "@boardcast/client";

/** The build of this page. */
export function ownBuild(): string {
  return document.querySelector<HTMLMetaElement>("meta[name=build]")?.content ?? "";
}

/** The build that is served now. It differs from this page's after an upgrade. */
export async function servedBuild(): Promise<string> {
  const { body } = await new Http().request("GET", "/api/config");
  return (body as { readonly build: string }).build;
}
