import type { ReactNode } from "react";

/** Line icons of 20 × 20 in the color of the surrounding text. Hidden from screen readers: their buttons have names. */
function icon(drawing: ReactNode) {
  return function Icon({ className = "" }: { readonly className?: string }) {
    return (
      <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" className={`shrink-0 ${/\bsize-/.test(className) ? "" : "size-4"} ${className}`}>
        {drawing}
      </svg>
    );
  };
}

export const PlusIcon = icon(<path d="M10 4.5v11M4.5 10h11" />);
export const CloseIcon = icon(<path d="m5.5 5.5 9 9m0-9-9 9" />);
export const DotsIcon = icon(<path d="M5 10h.01M10 10h.01M15 10h.01" strokeWidth="2.4" />);
export const SearchIcon = icon(<path d="m13 13 3.5 3.5M14.5 9a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0Z" />);
export const ChevronIcon = icon(<path d="m6 8 4 4 4-4" />);
export const CheckIcon = icon(<path d="m4.5 10.5 3.5 3.5 7.5-8" />);
export const CalendarIcon = icon(<path d="M4 8h12M7 3v3m6-3v3M5.5 4.5h9A1.5 1.5 0 0 1 16 6v9a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 4 15V6a1.5 1.5 0 0 1 1.5-1.5Z" />);
export const SunIcon = icon(<path d="M10 2.5v1.6m0 11.8v1.6M2.5 10h1.6m11.8 0h1.6M4.7 4.7l1.1 1.1m8.4 8.4 1.1 1.1m0-10.6-1.1 1.1m-8.4 8.4-1.1 1.1M13.2 10a3.2 3.2 0 1 1-6.4 0 3.2 3.2 0 0 1 6.4 0Z" />);
export const MoonIcon = icon(<path d="M16.5 11.6A6.8 6.8 0 0 1 8.4 3.5a6.8 6.8 0 1 0 8.1 8.1Z" />);
export const ScreenIcon = icon(<path d="M7 16.5h6M4.5 4h11A1.5 1.5 0 0 1 17 5.5v6a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 3 11.5v-6A1.5 1.5 0 0 1 4.5 4Z" />);
export const ClockIcon = icon(<path d="M10 6v4l2.5 1.5M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0Z" />);
export const TrashIcon = icon(<path d="M4 6h12M8 6V4.5h4V6m-6.5 0 .7 9a1.2 1.2 0 0 0 1.2 1.1h5.2a1.2 1.2 0 0 0 1.2-1.1l.7-9M8.5 9v4m3-4v4" />);
export const AlertIcon = icon(<path d="M10 7v3.5m0 2.7h.01M8.7 3.8 2.6 14.3A1.5 1.5 0 0 0 3.9 16.5h12.2a1.5 1.5 0 0 0 1.3-2.2L11.3 3.8a1.5 1.5 0 0 0-2.6 0Z" />);
export const InboxIcon = icon(<path d="M3 11.5 5 5a1.5 1.5 0 0 1 1.4-1h7.2A1.5 1.5 0 0 1 15 5l2 6.5m-14 0V15a1.5 1.5 0 0 0 1.5 1.5h11A1.5 1.5 0 0 0 17 15v-3.5m-14 0h4l1 2h4l1-2h4" />);
export const BookIcon = icon(<path d="M4 4.5c2.2-.6 4.2-.4 6 .8 1.8-1.2 3.8-1.4 6-.8v11c-2.2-.6-4.2-.4-6 .8-1.8-1.2-3.8-1.4-6-.8v-11Zm6 .8v11" />);
export const EyeIcon = icon(<path d="M2.5 10S5.2 4.8 10 4.8 17.5 10 17.5 10s-2.7 5.2-7.5 5.2S2.5 10 2.5 10Zm9.7 0a2.2 2.2 0 1 1-4.4 0 2.2 2.2 0 0 1 4.4 0Z" />);
export const LeaveIcon = icon(<path d="M8 16.5H5A1.5 1.5 0 0 1 3.5 15V5A1.5 1.5 0 0 1 5 3.5h3m4.5 10L16.5 10l-4-3.5M16 10H8" />);
export const MoveIcon = icon(<path d="M3 10h13m-4.5-4.5L16 10l-4.5 4.5" />);
export const PeopleIcon = icon(<path d="M2.5 16c.3-2.6 2.2-4.2 4.8-4.2s4.5 1.6 4.8 4.2M9.8 6.6a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Zm3.4 5.3c2.3-.1 4 1.4 4.3 3.9M12.6 4.2a2.4 2.4 0 0 1 0 4.7" />);
export const GripIcon = icon(<path d="M7.5 5h.01M12.5 5h.01M7.5 10h.01M12.5 10h.01M7.5 15h.01M12.5 15h.01" strokeWidth="2.2" />);
export const CopyIcon = icon(<path d="M7.5 12.5h-2A1.5 1.5 0 0 1 4 11V5a1.5 1.5 0 0 1 1.5-1.5h6A1.5 1.5 0 0 1 13 5v2M9 7h6a1.5 1.5 0 0 1 1.5 1.5v6A1.5 1.5 0 0 1 15 16H9a1.5 1.5 0 0 1-1.5-1.5v-6A1.5 1.5 0 0 1 9 7Z" />);
export const ArchiveIcon = icon(<path d="M3.5 4.5h13v3h-13v-3Zm1 3V15A1.5 1.5 0 0 0 6 16.5h8a1.5 1.5 0 0 0 1.5-1.5V7.5m-7 3h3" />);
export const GearIcon = icon(<path d="M4 6h7m4 0h1M4 14h1m4 0h7M15 6a2 2 0 1 1-4 0 2 2 0 0 1 4 0ZM9 14a2 2 0 1 1-4 0 2 2 0 0 1 4 0Z" />);
export const FlagIcon = icon(<path d="M5 17V3.5m0 .5h9l-2 3.2 2 3.3H5" />);
export const ChartIcon = icon(<path d="M3.5 16.5h13M5.5 13.5v-4m4.5 4v-9m4.5 9v-6.5" />);
