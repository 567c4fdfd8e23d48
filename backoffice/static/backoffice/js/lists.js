// What Jazzmin's list script wants to know: how many letters a filter waits for before it searches.
window.filterInputLengthDefault = 0;
window.filterInputLength = {};
