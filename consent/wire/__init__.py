"""What crosses the wire: cookies, submissions, headers and markup, as text and bytes in and out."""
