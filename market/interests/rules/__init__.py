"""Pure rules about interests: dates, forms, gifts, who and what is published."""
