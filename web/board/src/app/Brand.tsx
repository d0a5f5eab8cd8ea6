export function Brand({ className = "size-7" }: { readonly className?: string }) {
  return <img src="/static/icon.svg" alt="" className={className} />;
}
