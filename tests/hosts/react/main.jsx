// In StrictMode, as React's own templates start an app: what would break by being done twice breaks here.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.jsx";

createRoot(document.getElementById("app")).render(<StrictMode><App /></StrictMode>);
