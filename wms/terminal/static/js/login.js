// Name and password go as JSON, so that no form of another site can log somebody in here.

const form = document.getElementById("login");
const wrong = document.getElementById("wrong");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  wrong.textContent = "";
  try {
    const given = Object.fromEntries(new FormData(form));
    const answer = await fetch("/terminal/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...given, next: form.dataset.next }),
    });
    const content = await answer.json();
    if (answer.ok) return location.assign(content.next);
    wrong.textContent = content.error.message;
    form.elements.password.select();
  } catch (error) {
    wrong.textContent = form.dataset.lost;
  } finally {
    button.disabled = false;
  }
});
