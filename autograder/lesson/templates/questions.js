"use strict";

/** Open a question's answer once a guess is made. */
function listenToQuestion(form) {
  const answer = form.querySelector(".answer"), verdict = form.querySelector(".verdict");
  const button = form.querySelector("button");
  form.addEventListener("change", () => {
    button.disabled = false;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const guess = form.querySelector("input:checked");
    if (guess === null) return;
    const right = guess.value === "right";
    verdict.textContent = right ? "Your guess agrees with the answer." : "The answer is another one.";
    for (const label of form.querySelectorAll("label")) {
      label.classList.toggle("is-right", label.querySelector("input").value === "right");
    }
    answer.hidden = false;
    button.hidden = true;
    answer.focus();
  });
}

for (const form of document.querySelectorAll("form.question")) listenToQuestion(form);
