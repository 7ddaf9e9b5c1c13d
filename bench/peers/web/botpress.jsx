// The "Basic Implementation" of @botpress/webchat's readme, as a site would bundle it; `apiUrl` alone is added.
import { Fab, Webchat } from "@botpress/webchat";
import { useState } from "react";
import { createRoot } from "react-dom/client";

function App() {
  const [isWebchatOpen, setIsWebchatOpen] = useState(false);
  return (
    <>
      <Webchat
        clientId="8b6b25ae-e47d-455e-8057-356dae07fff2"
        apiUrl={location.origin}
        style={{ width: "400px", height: "600px", display: isWebchatOpen ? "flex" : "none", position: "fixed", bottom: "90px", right: "20px" }}
      />
      <Fab onClick={() => setIsWebchatOpen(!isWebchatOpen)} style={{ position: "fixed", bottom: "20px", right: "20px", width: "64px", height: "64px" }} />
    </>
  );
}

createRoot(document.body.appendChild(document.createElement("div"))).render(<App />);
