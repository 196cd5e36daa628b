// First, so that the styles of a component come after them and win.
import './styles/tokens.css';
import './styles/base.css';

import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { makeRouter } from './app/router';
import { startTheme } from './app/theme';
import { startI18n } from './i18n';

startTheme();
await startI18n();

const place = document.getElementById('root');
if (!place) throw new Error('the page has no root');
createRoot(place).render(
  <StrictMode>
    <RouterProvider router={makeRouter()} />
  </StrictMode>,
);
