"use strict";
const form = document.querySelector("form[data-passkey]");
const problem = document.querySelector("[data-problem]");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const options = JSON.parse(form.dataset.passkey);
  try {
    const made = form.dataset.make
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    form.elements.credential.value = JSON.stringify(made.toJSON());
    form.submit();
  } catch {
    problem.hidden = false;
  }
});
