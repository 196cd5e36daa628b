export function Logo() {
  return (
    <span className="logo">
      <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden>
        <rect width="32" height="32" rx="8" className="logo-ground" />
        <path
          d="M9 8v15h6"
          fill="none"
          stroke="#fff"
          strokeWidth="3"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
        <rect x="18" y="8" width="6" height="6" rx="1.5" fill="#fff" />
        <rect x="18" y="17" width="6" height="6" rx="1.5" fill="#fff" opacity=".6" />
      </svg>
      <span className="logo-text">llmos</span>
    </span>
  );
}
