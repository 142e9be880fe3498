import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [svelte()],
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  // `npm run dev` shows the page against an appliance that runs on this machine.
  server: { proxy: { '/api': process.env.EGRESS_APPLIANCE ?? 'http://127.0.0.1:8080' } },
});
