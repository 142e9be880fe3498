import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { budget, compressed } from './budget.ts';

export default defineConfig({
  plugins: [svelte(), budget(), compressed()],
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  // `npm run dev` shows the page against an appliance that runs on this machine, or the one that EGRESS_APPLIANCE names.
  server: { proxy: { '/api': process.env.EGRESS_APPLIANCE ?? 'http://127.0.0.1:8080' } },
});
