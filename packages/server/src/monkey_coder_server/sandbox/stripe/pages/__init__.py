"""What a browser opens: Checkout, the bank's question, invoices, receipts, the customer portal."""
