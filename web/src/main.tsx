import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { makeRouter } from './app/router';
import { startTheme } from './app/theme';
import { startI18n } from './i18n';
import './styles/tokens.css';
import './styles/base.css';

startTheme();
await startI18n();

const place = document.getElementById('root');
if (!place) throw new Error('the page has no root');
createRoot(place).render(
  <StrictMode>
    <RouterProvider router={makeRouter()} />
  </StrictMode>,
);
