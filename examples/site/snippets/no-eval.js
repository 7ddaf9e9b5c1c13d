(function (d, r) {
  r = d.createElement('script');
  r.async = true;
  r.src = '{{HOST}}/webchat.js?botId={{BOT}}';
  r.onLoad = function (init) {
    watch(init({ params: { page: 'no-eval' } }));
  };
  d.head.appendChild(r);
})(document);

document.addEventListener('securitypolicyviolation', function (event) {
  happened('blocked', event.violatedDirective + ' ' + event.blockedURI);
});
